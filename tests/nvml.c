/* What of NVML seedlock/driver.py asks, answered as the macros say: tests/test_driver.py builds it.
   No mock of a framework: the driver of a GPU can't be had on a machine without one. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *stay(void *nothing)
{
    pause();
    return nothing;
}

/* Leaves a thread, as NVML does (driver 580.159.04). */
int nvmlInit_v2(void)
{
    pthread_t thread;
    if (INIT < 0)
        abort();
    pthread_create(&thread, NULL, stay, NULL);
    return INIT;
}

int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int status) { return status == 18 ? "Driver/library version mismatch" : "Unknown Error"; }

int nvmlDeviceGetCount_v2(unsigned *count)
{
    *count = COUNT;
    return 0;
}

int nvmlSystemGetDriverVersion(char *version, unsigned length)
{
    strncpy(version, DRIVER, length);
    return 0;
}
