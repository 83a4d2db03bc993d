// Imported by each program before it creates anything. From here on, whatever the program, its threads and its libraries create
// can be opened by its own user only, from the first byte: exports, rejected rows, temporary copies, the store itself.
process.umask(0o077);
