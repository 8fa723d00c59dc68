import Testing

struct PlaceholderRolloutLabTests {}
