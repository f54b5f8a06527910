/** Results of a filter. Only TRUE lets a message through. */

export const FALSE = 0;
export const TRUE = 1;
/** SQL's third value: a NULL took part. */
export const UNKNOWN = 2;
/** 4.9 throws there: nothing around it is looked at any more, not even the other side of an OR. */
export const CANNOT = 3;

export type Truth = typeof FALSE | typeof TRUE | typeof UNKNOWN | typeof CANNOT;
