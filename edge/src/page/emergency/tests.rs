//! What each kind says, to people and to programs.
