enum RolloutPlaceholder {}
