import Testing

struct PlaceholderMonitTests {}
