/* What of NVML seedlock/evaluation/recording/gpu_meter.py asks, and a report's facts of the
   machine, answered as variables say: tests/nvml.py builds it. As in nvml.c, the driver of a GPU
   can't be had on a machine without one. */
#include <stdlib.h>
#include <string.h>

#define NOT_SUPPORTED 3
#define NOT_FOUND 6

typedef struct { unsigned gpu, memory; } Utilization;
typedef struct {
    unsigned gpuUtilization, memoryUtilization;
    unsigned long long maxMemoryUsage, time, startTime;
    unsigned isRunning, reserved[5];
} Stats;

static unsigned listed;

static int number(const char *name) { const char *value = getenv(name); return value ? atoi(value) : 0; }

int nvmlInitWithFlags(unsigned flags) { return flags ? NOT_SUPPORTED : 0; }
int nvmlInit_v2(void) { return 0; } /* by which seedlock/driver.py begins */
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int status) { return status ? "Error" : "Success"; }

int nvmlDeviceGetCount_v2(unsigned *count)
{
    *count = number("COUNT");
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    *device = (void *)(size_t)(index + 1);
    return index < (unsigned)number("COUNT") ? 0 : NOT_FOUND;
}

int nvmlDeviceGetHandleByUUID(const char *id, void **device)
{
    *device = (void *)1;
    return strcmp(id, "GPU-1") ? NOT_FOUND : 0;
}

/* Facts for a report's `machine`. */
int nvmlSystemGetDriverVersion(char *version, unsigned length) { strncpy(version, "999.9", length); return 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned length) { strncpy(name, device ? "None" : "", length); return 0; }
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) { *major = *minor = device ? 9 : 0; return 0; }
int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *sizes)
{
    sizes[0] = device ? 1 << 20 : 0;
    return number("NO_MEMORY") ? NOT_SUPPORTED : 0;
}

/* One joule more at each call, on each device. */
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules)
{
    static unsigned long long said[8];
    *millijoules = said[(size_t)device] += 1000;
    return number("NO_ENERGY") ? NOT_SUPPORTED : 0;
}

/* SHARE per cent at first, SHARE_LATER from the second call on. */
int nvmlDeviceGetUtilizationRates(void *device, Utilization *shares)
{
    static unsigned calls[8];
    shares->gpu = number(calls[(size_t)device]++ ? "SHARE_LATER" : "SHARE");
    return number("NO_SHARE") ? NOT_SUPPORTED : 0;
}

int nvmlDeviceGetAccountingMode(void *device, unsigned *mode)
{
    *mode = number("ACCOUNTING") >= (int)(size_t)device;
    return 0;
}

int nvmlDeviceGetAccountingBufferSize(void *device, unsigned *size)
{
    *size = device ? 4 : 0;
    return 0;
}

/* A process from before, and, from the second look at a device on, one that has come since. */
int nvmlDeviceGetAccountingPids(void *device, unsigned *count, unsigned *pids)
{
    pids[0] = 11;
    pids[1] = 22;
    *count = listed & 1u << (size_t)device ? 2 : 1;
    listed |= 1u << (size_t)device;
    return 0;
}

int nvmlDeviceGetAccountingStats(void *device, unsigned pid, Stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->startTime = pid * 1000;
    stats->time = pid == 22 ? 4000 : 900000;
    stats->gpuUtilization = number("NO_PERCENT") ? 0xFFFFFFFFu : 50;
    return device ? 0 : NOT_FOUND;
}
