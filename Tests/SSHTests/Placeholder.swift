import Testing

struct PlaceholderSSHTests {}
