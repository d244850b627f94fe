/* The floor of every milter: answers nothing until end of message, then accepts. Rival of the gateway bench.
   cc -O2 -o noop noop.c -lmilter -lpthread */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static sfsistat go_on_connect(SMFICTX *c, char *h, _SOCK_ADDR *a) { (void)c; (void)h; (void)a; return SMFIS_NOREPLY; }
static sfsistat go_on_text(SMFICTX *c, char *s) { (void)c; (void)s; return SMFIS_NOREPLY; }
static sfsistat go_on_args(SMFICTX *c, char **v) { (void)c; (void)v; return SMFIS_NOREPLY; }
static sfsistat go_on_header(SMFICTX *c, char *n, char *v) { (void)c; (void)n; (void)v; return SMFIS_NOREPLY; }
static sfsistat go_on(SMFICTX *c) { (void)c; return SMFIS_NOREPLY; }
static sfsistat go_on_body(SMFICTX *c, unsigned char *b, size_t n) { (void)c; (void)b; (void)n; return SMFIS_NOREPLY; }
static sfsistat end_of_message(SMFICTX *c) { (void)c; return SMFIS_CONTINUE; }

static sfsistat negotiate(SMFICTX *c, unsigned long a0, unsigned long p0, unsigned long a1, unsigned long a2,
                          unsigned long *fa, unsigned long *fp, unsigned long *f1, unsigned long *f2) {
  (void)c; (void)a0; (void)a1; (void)a2;
  *fa = SMFIF_DELRCPT;
  *fp = p0 & (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_HDR |
              SMFIP_NR_EOH | SMFIP_NR_BODY | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC);
  *f1 = 0; *f2 = 0;
  return SMFIS_CONTINUE;
}

int main(int argc, char **argv) {
  struct smfiDesc filter;
  memset(&filter, 0, sizeof filter);
  filter.xxfi_name = "noop";
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_flags = SMFIF_DELRCPT;
  filter.xxfi_connect = go_on_connect;
  filter.xxfi_helo = go_on_text;
  filter.xxfi_envfrom = go_on_args;
  filter.xxfi_envrcpt = go_on_args;
  filter.xxfi_header = go_on_header;
  filter.xxfi_eoh = go_on;
  filter.xxfi_body = go_on_body;
  filter.xxfi_eom = end_of_message;
  filter.xxfi_data = go_on;
  filter.xxfi_negotiate = negotiate;
  if (argc != 2) { fprintf(stderr, "usage: noop SOCKET\n"); return EX_USAGE; }
  if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS) return EX_UNAVAILABLE;
  return smfi_main();
}
