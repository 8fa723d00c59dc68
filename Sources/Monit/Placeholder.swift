enum MonitPlaceholder {}
