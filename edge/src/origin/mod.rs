//! The living origin: asking it, and noticing when it does not answer.
