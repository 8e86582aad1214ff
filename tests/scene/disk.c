/* A disk that fails on request, between a program and the kernel (LD_PRELOAD). Below the folder
 * HOLDFAST_DISK_AT every step that writes is counted: making a file or folder, writing, syncing,
 * renaming, linking, removing. The file HOLDFAST_DISK says what happens:
 *
 *   stop N       the process is killed instead of its Nth step
 *   full N       from the Nth step on, nothing that needs space works (ENOSPC)
 *   readonly N   from the Nth step on, nothing works (EROFS)
 *   bad INODE    reads of that file fail (EIO)
 *
 * Without that file nothing happens and the count starts anew. A rename by a bare system call is
 * not seen; the syncs before and after it are, so a stop falls on both sides of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum need { NOTHING, SPACE };

static atomic_ulong steps;

/* What the disk is to do, from which step on; "" if it is sound. */
static unsigned long wish(char word[16])
{
    char text[64] = "";
    unsigned long number = 0;
    const char *control = getenv("HOLDFAST_DISK");
    word[0] = 0;
    int fd = control ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    long got = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (got > 0 && sscanf(text, "%15s %lu", word, &number) != 2)
        word[0] = 0;
    return number;
}

static int ours(const char *path)
{
    const char *at = getenv("HOLDFAST_DISK_AT");
    size_t length = at ? strlen(at) : 0;
    return length && !strncmp(path, at, length) && (path[length] == '/' || !path[length]);
}

/* 0, or the error of one step at `path`. Leaves errno alone. */
static int step(const char *path, enum need need)
{
    int before = errno, error = 0;
    char word[16];
    if (path && ours(path)) {
        unsigned long from = wish(word);
        if (!word[0])
            atomic_store(&steps, 0);
        else if (atomic_fetch_add(&steps, 1) + 1 >= from) {
            if (!strcmp(word, "stop"))
                kill(getpid(), SIGKILL);
            else if (!strcmp(word, "readonly"))
                error = EROFS;
            else if (!strcmp(word, "full") && need == SPACE)
                error = ENOSPC;
        }
    }
    errno = before;
    return error;
}

static int step_at(int fd, enum need need)
{
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long got = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    errno = before;
    if (got <= 0)
        return 0;
    path[got] = 0;
    return step(path, need);
}

static int bad(int fd)
{
    int before = errno, is = 0;
    char word[16];
    struct stat about;
    unsigned long inode = wish(word);
    if (!strcmp(word, "bad"))
        is = !fstat(fd, &about) && about.st_ino == inode;
    errno = before;
    return is;
}

#define FAIL(error)                                                                                \
    do {                                                                                           \
        int failed = (error);                                                                      \
        if (failed) {                                                                              \
            errno = failed;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

static int opened(int dir, const char *path, int flags, mode_t mode)
{
    if (flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE)
        FAIL(step(path, access(path, F_OK) ? SPACE : NOTHING));
    else if ((flags & O_ACCMODE) != O_RDONLY)
        FAIL(step(path, NOTHING));
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE(flags, mode)                                                                          \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags, mode) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags, mode) return opened(dir, path, flags, mode); }

ssize_t read(int fd, void *into, size_t n)
{
    FAIL(bad(fd) ? EIO : 0);
    return syscall(SYS_read, fd, into, n);
}

ssize_t pread64(int fd, void *into, size_t n, off64_t at)
{
    FAIL(bad(fd) ? EIO : 0);
    return syscall(SYS_pread64, fd, into, n, at);
}

ssize_t write(int fd, const void *from, size_t n)
{
    FAIL(step_at(fd, SPACE));
    return syscall(SYS_write, fd, from, n);
}

ssize_t writev(int fd, const struct iovec *from, int n)
{
    FAIL(step_at(fd, SPACE));
    return syscall(SYS_writev, fd, from, n);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    FAIL(step_at(fd, SPACE));
    return syscall(SYS_pwrite64, fd, from, n, at);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags)
{
    FAIL(step_at(out, SPACE));
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
}

int ftruncate64(int fd, off64_t length)
{
    FAIL(step_at(fd, SPACE));
    return (int)syscall(SYS_ftruncate, fd, length);
}

int fsync(int fd)
{
    FAIL(step_at(fd, NOTHING));
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    FAIL(step_at(fd, NOTHING));
    return (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    FAIL(step(to, NOTHING));
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    FAIL(step(to, SPACE));
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlink(const char *path)
{
    FAIL(step(path, NOTHING));
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
    /* As the kernel has it: what exists already needs nothing of the disk. */
    if (access(path, F_OK))
        FAIL(step(path, SPACE));
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int chmod(const char *path, mode_t mode)
{
    FAIL(step(path, NOTHING));
    return (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

int fchmod(int fd, mode_t mode)
{
    FAIL(step_at(fd, NOTHING));
    return (int)syscall(SYS_fchmod, fd, mode);
}
