/** Levels of graphs within attributes of nodes of graphs. Real models use two or three. */
export const maxGraphDepth = 32

/**
 * Nodes, names, attributes, tensors, dimensions and declared values of one file together. A model of 10 000 nodes has some
 * 100 000. One of them takes as little as two bytes of a file and some hundred bytes of memory.
 */
export const maxModelItems = 2_000_000

/** Protobuf fields that are passed while a file is read: a bound on the time it takes, some seconds. */
export const maxModelFields = 2 ** 26

/** Bytes of one name or other text that is decoded. */
export const maxTextBytes = 65_536

/** Dimensions of one tensor. */
export const maxRank = 64

/** Bytes of one external data file's path. */
export const maxLocationBytes = 4096
