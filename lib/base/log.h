/* Log lines of the programs (not of the PAM module, which uses pam_syslog): to stderr, one line each, with
 * sd-daemon(3) level prefixes when stderr is the journal ($JOURNAL_STREAM). */
#pragma once

enum jail_log_level { JAIL_LOG_ERR = 3, JAIL_LOG_WARNING = 4, JAIL_LOG_NOTICE = 5, JAIL_LOG_INFO = 6 };

/* name: the program's, shown before each line on a terminal. */
void jail_log_init(const char *name);
/* Control characters in the message are shown as '?': a log line is one line. */
void jail_log(enum jail_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define jail_log_err(...)     jail_log(JAIL_LOG_ERR, __VA_ARGS__)
#define jail_log_warning(...) jail_log(JAIL_LOG_WARNING, __VA_ARGS__)
#define jail_log_notice(...)  jail_log(JAIL_LOG_NOTICE, __VA_ARGS__)
#define jail_log_info(...)    jail_log(JAIL_LOG_INFO, __VA_ARGS__)
