import Testing

struct PlaceholderFleetTests {}
