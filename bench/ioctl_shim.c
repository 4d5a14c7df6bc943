/* Puts a virtual drive's firmware behind a loop device, for tools that are not ours.

   LD_PRELOAD=shim.so SHIM_DEVICE=/dev/loopN SHIM_SOCKET=PATH tool … : SG_IO and NVMe admin commands
   on that device go to bench/lying_firmware.py; reads and writes stay the loop device's own. Waiting
   costs nothing, so that a tool that polls once a minute is done at once. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct request { uint32_t kind, words, out, in; };    /* kind 0: SCSI, 1: NVMe; then words, then out bytes */
struct reply { uint32_t status, sense, data, result; }; /* then sense, then data */

static int ours(int fd) {
  const char *device = getenv("SHIM_DEVICE");
  char link[64], name[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, name, sizeof name - 1);
  if (!device || n < 0) return 0;
  name[n] = 0;
  return !strcmp(name, device);
}

static int all(int fd, void *data, size_t size, int writes) {
  for (char *at = data; size;) {
    ssize_t n = writes ? write(fd, at, size) : read(fd, at, size);
    if (n <= 0) return -1;
    at += n, size -= n;
  }
  return 0;
}

static int ask(struct request q, void *words, void *out, struct reply *r, void *sense, void *in) {
  struct sockaddr_un where = {.sun_family = AF_UNIX};
  snprintf(where.sun_path, sizeof where.sun_path, "%s", getenv("SHIM_SOCKET"));
  int s = socket(AF_UNIX, SOCK_STREAM, 0), bad;
  bad = connect(s, (struct sockaddr *)&where, sizeof where) || all(s, &q, sizeof q, 1) ||
        all(s, words, q.words, 1) || all(s, out, q.out, 1) || all(s, r, sizeof *r, 0) ||
        r->sense > 64 || r->data > q.in || all(s, sense, r->sense, 0) || all(s, in, r->data, 0);
  close(s);
  if (bad) errno = EIO;
  return bad ? -1 : 0;
}

static int scsi(sg_io_hdr_t *h) {
  int outward = h->dxfer_direction == SG_DXFER_TO_DEV;
  struct request q = {0, h->cmd_len, outward ? h->dxfer_len : 0, outward ? 0 : h->dxfer_len};
  struct reply r;
  unsigned char sense[64];
  if (ask(q, h->cmdp, h->dxferp, &r, sense, h->dxferp)) return -1;
  h->status = h->masked_status = r.status;
  h->masked_status >>= 1;
  h->host_status = h->driver_status = 0;
  h->info = r.status ? SG_INFO_CHECK : 0;
  h->sb_len_wr = r.sense < h->mx_sb_len ? r.sense : h->mx_sb_len;
  if (h->sbp) memcpy(h->sbp, sense, h->sb_len_wr);
  h->resid = outward ? 0 : h->dxfer_len - r.data;
  if (r.sense) h->driver_status = 8;
  return 0;
}

static int nvme(struct nvme_passthru_cmd *c) {
  int outward = c->opcode & 1;
  struct request q = {1, sizeof *c, outward ? c->data_len : 0, outward ? 0 : c->data_len};
  struct reply r;
  unsigned char none[64];
  void *data = (void *)(uintptr_t)c->addr;
  if (ask(q, c, data, &r, none, data)) return -1;
  c->result = r.result;
  return r.status;
}

int ioctl(int fd, unsigned long wanted, ...) {
  static int (*real)(int, unsigned long, void *);
  va_list rest;
  va_start(rest, wanted);
  void *given = va_arg(rest, void *);
  va_end(rest);
  if (!real) real = dlsym(RTLD_NEXT, "ioctl");
  if (wanted == SG_IO && ours(fd)) return scsi(given);
  if (wanted == NVME_IOCTL_ADMIN_CMD && ours(fd)) return nvme(given);
  if (wanted == NVME_IOCTL_ID && ours(fd)) return 1;
  return real(fd, wanted, given);
}

unsigned sleep(unsigned seconds) { (void)seconds; return 0; }
int usleep(useconds_t useconds) { (void)useconds; return 0; }
int nanosleep(const struct timespec *a, struct timespec *b) { (void)a, (void)b; return 0; }
int clock_nanosleep(clockid_t c, int f, const struct timespec *a, struct timespec *b) { (void)c, (void)f, (void)a, (void)b; return 0; }
