import Testing

struct PlaceholderDuplexTests {}
