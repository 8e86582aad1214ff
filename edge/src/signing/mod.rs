//! Keys of people: from a file, the environment or an agent.
