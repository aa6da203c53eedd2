/* cli/classify: `heloise classify`: reads SMTP replies on standard input, one a line, and writes what
 * each means and which rule decided. A line is [STAGE TAB] [PROVIDER TAB] REPLY; \n within the reply
 * is a line break of it. Returns an exit code.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLASSIFY_H
#define CLI_CLASSIFY_H

int cli_classify(int argc, char **argv);

#endif
