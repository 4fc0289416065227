/* A disk that fails on demand, for benchmarks.bad_disk: put before the C library with LD_PRELOAD.
 *
 * FAILING_DISK_ORDERS names a file of three bytes: the errno with which writes at a place fail (SQLite's), the one of
 * syncs, and the one of opening a file for writing below FAILING_DISK; 0 is none. It is mapped, so that a change holds
 * at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

enum { WRITE, SYNC, OPEN, ORDERS };

static volatile const unsigned char *orders;
static const char *disk;

__attribute__((constructor)) static void begin(void)
{
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    const char *path = getenv("FAILING_DISK_ORDERS");
    int fd = path ? real(path, O_RDONLY) : -1;
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, ORDERS, PROT_READ, MAP_SHARED, fd, 0);

    disk = getenv("FAILING_DISK");
    orders = mapped == MAP_FAILED ? NULL : mapped;
}

static int fails(int what)
{
    if (!orders || !orders[what])
        return 0;
    errno = orders[what];
    return 1;
}

static int opening_fails(const char *path, int flags)
{
    return disk && (flags & (O_WRONLY | O_RDWR | O_CREAT)) && !strncmp(path, disk, strlen(disk)) && fails(OPEN);
}

#define WRITES(name, offset_type)                                                                   \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type offset)                       \
    {                                                                                               \
        ssize_t (*real)(int, const void *, size_t, offset_type) = dlsym(RTLD_NEXT, #name);          \
        return fails(WRITE) ? -1 : real(fd, bytes, count, offset);                                  \
    }

#define SYNCS(name)                                                                                 \
    int name(int fd)                                                                                \
    {                                                                                               \
        int (*real)(int) = dlsym(RTLD_NEXT, #name);                                                 \
        return fails(SYNC) ? -1 : real(fd);                                                         \
    }

#define OPENS(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                      \
    {                                                                                               \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);                              \
        va_list rest;                                                                               \
        va_start(rest, flags);                                                                      \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                   \
        va_end(rest);                                                                               \
        return opening_fails(path, flags) ? -1 : real(path, flags, mode);                           \
    }

WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)
SYNCS(fsync)
SYNCS(fdatasync)
OPENS(open)
OPENS(open64)
