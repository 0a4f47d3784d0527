// Lists /dev: each name in order with what it is. Static, for an image that has nothing.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void list(const char *directory, const char *prefix) {
    struct dirent **names;
    int count = scandir(directory, &names, NULL, alphasort);
    if (count < 0) {
        perror(directory);
        exit(1);
    }
    for (int index = 0; index < count; index++) {
        const char *name = names[index]->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        char path[600], target[300] = "";
        struct stat state;
        snprintf(path, sizeof path, "%s/%s", directory, name);
        if (lstat(path, &state) != 0) {
            perror(path);
            exit(1);
        }
        unsigned mode = state.st_mode & 07777;
        if (S_ISLNK(state.st_mode)) {
            if (readlink(path, target, sizeof target - 1) < 0) exit(1);
            printf("%s%s -> %s\n", prefix, name, target);
        } else if (S_ISDIR(state.st_mode)) {
            printf("%s%s d %o\n", prefix, name, mode);
            char inner[300];
            snprintf(inner, sizeof inner, "%s%.200s/", prefix, name);
            list(path, inner);
        } else if (S_ISCHR(state.st_mode)) {
            printf("%s%s c %u:%u %o\n", prefix, name, major(state.st_rdev), minor(state.st_rdev), mode);
        } else {
            printf("%s%s ? %o\n", prefix, name, mode);
        }
    }
}

int main(void) {
    list("/dev", "");
    return fflush(stdout) == 0 ? 0 : 1;
}
