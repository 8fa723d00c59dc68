import Testing

struct PlaceholderCommandsTests {}
