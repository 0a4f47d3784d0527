#include "CFuzzer.h"

#include <errno.h>

// The program's own allocator, so that every library's requests are counted: a name that is defined in the executable
// comes before glibc's, which offers its functions under these names too (malloc/malloc.c).
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

// Each thread's own: libFuzzer watches memory from a second one.
static __thread size_t largest, total;

static void note(size_t size) {
    if (size > largest) largest = size;
    if (__builtin_add_overflow(total, size, &total)) total = (size_t)-1;
}

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    note(__builtin_mul_overflow(count, size, &bytes) ? (size_t)-1 : bytes);
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    note(size);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    note(size);
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

void CFuzzer_meter_start(void) { largest = total = 0; }
static long clamped(size_t size) { return size > INT64_MAX ? INT64_MAX : (long)size; }
long CFuzzer_meter_largest(void) { return clamped(largest); }
long CFuzzer_meter_total(void) { return clamped(total); }
