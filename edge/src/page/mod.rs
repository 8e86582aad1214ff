//! What a reader gets: language, banner, emergency pages, encodings, conditions.
