import Testing

struct PlaceholderRolloutTests {}
