import CLinux

func openDescriptors() -> Int { Int(clinux_open_descriptors()) }

func residentBytes() -> Int { Int(clinux_resident_bytes()) }
