//! The whole way from a draft to an answer.
