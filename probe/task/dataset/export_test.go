package dataset

// ReadParquet is readParquet, for files that are of no kind.
var ReadParquet = readParquet
