"""HTTP and TLS on loopback, without a word about what is said over it."""
