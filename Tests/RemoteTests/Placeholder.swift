import Testing

struct PlaceholderRemoteTests {}
