"""Real Linux endpoints, a wire that loses what a case wants lost, a tap, and the kernel's own word.

`record` (a command) runs the cases of `openings`, `closings` and `resets` and writes captures/;
`expect` (a command) writes down what tcptrace makes of them. The nouns, from the ground up:

    host           a network namespace with a TUN device
    wire           takes packets from one device to the other: delay, tap, loss
    sock_diag      what sockets a host has at this instant, as `ss` asks
    kernel_trace   the tracepoint sock:inet_sock_set_state
    witness        both of them joined into the lives of sockets
    lab            two hosts, a wire and a witness, driven by one thread
    case           a script for the lab, with what it shows and the truth it must produce

Everything is private to the process: when it ends, killed or not, the kernel takes it all back.
"""
