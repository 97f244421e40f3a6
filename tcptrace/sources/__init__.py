"""Where packets come from: files, streams and lists become batches of `Packets`.

`capture.open_capture` takes whatever a user names; `formats` and `compressed` tell by the first
bytes what it is, `pcap`, `pcapng` and `snoop` read it, `time_order` makes several files one.
"""
