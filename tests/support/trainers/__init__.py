"""Every trainer gives each parameter the learning rate that was asked for, at every step."""
