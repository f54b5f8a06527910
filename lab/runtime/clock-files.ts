/** Names of the two files through which a node's clock is shifted. Both lie in the folder the node runs in, which is that of its data. */

/** Milliseconds the node's wall clock is to be ahead, in decimal; without it the clock is the machine's. */
export const CLOCK_OFFSET = "clock-offset";

/** Written by the node after every change: what its clock says beside the true one. */
export const CLOCK_SAYS = "clock-says";

/** They tell of the node's process, not of its messages. */
export const CLOCK_FILES: readonly string[] = [CLOCK_OFFSET, CLOCK_SAYS];
