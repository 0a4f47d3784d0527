#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own loop (FuzzerInterface.h, whose header is C++).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));

/// Counts what is asked of the allocator from here on.
void CFuzzer_meter_start(void);
/// The largest single request, in bytes.
long CFuzzer_meter_largest(void);
/// All requests together, in bytes; what was given back in between is not taken off.
long CFuzzer_meter_total(void);
