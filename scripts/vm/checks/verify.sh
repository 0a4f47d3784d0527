# The worker has attacked its own sandboxes when it started, and does so again with all it has.
check "no attack got through when the worker started" 0 '*verified*attacks held*' sandpool worker show "$(hostname)"
check "no attack gets through, with an open network and beyond every limit either" 0 '*attacks held*' \
    sandpool worker verify --exhaust
