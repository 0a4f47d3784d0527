# The image that was begun at the start.
limit=400 check "a Debian image" 0 '*' sandpool wait debian
check "what it is, and its network" 0 $'bookworm 0\n200' sandpool logs debian
check "the image is ready for the next job" 0 '42' \
    sandpool run --image mmdebstrap:bookworm --block-network -- python3 -c 'print(6 * 7)'
check "no build is left" 0 '' ls /var/lib/sandpool/worker/images
