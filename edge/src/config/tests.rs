//! Every mistake of a settings file, by its place.
