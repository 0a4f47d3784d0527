// A launcher of a later version, which knows no state of this one.
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static const char why[] = "sandpool-launcher: state version 1 is not known here, which knows 2\n";
    if (argc < 3 || strcmp(argv[1], "--try-state") != 0) return 2;
    return write(2, why, sizeof why - 1) < 0 ? 2 : 1;
}
