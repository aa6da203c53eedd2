/* cli/way_out: whether mail servers can be reached from here at all: the doctor's look at port 25, in few words.
 * Names no address.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WAY_OUT_H
#define CLI_WAY_OUT_H

/* Takes at most five seconds. Prints one plain diagnosis to standard output. */
void way_out_report(void);

#endif
