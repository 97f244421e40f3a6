"""Real Linux endpoints, a wire that spoils what it is told to, three taps, and the kernel's word.

Four commands: `record` writes captures/ from the cases of `openings`, `closings`, `resets` and
`vantages`, `expect` writes down what tcptrace makes of them, `fidelity` plays storms and prints
README's table; `pytest -m kernel` plays all `scenarios` and some storms. The nouns, from the
ground up:

    host           a network namespace with a TUN device
    weather        what chance does to packets, from a seed
    forgery        packets that no host has sent
    wire           takes packets from one device to the other: delay, taps, rules, weather
    sock_diag      what sockets a host has at this instant, as `ss` asks
    kernel_trace   the tracepoint sock:inet_sock_set_state
    witness        both of them joined into the lives of sockets
    lab            two hosts, a wire and a witness, driven by one thread
    case           a script for the lab, with the truth it must produce
    storm          a case of many `conversations` at once, all from one seed
    play, facts    cases played, many at a time; what the kernels recorded, as JSON
    tampering      the same capture, made worse
    truth, score   a timeline held against a record: what is wrong; how much is right

The tracepoint knows neither request sockets nor minisockets, so looks through sock_diag stand
before and after everything that may move one. Everything is private to the process: when it
ends, killed or not, the kernel takes it all back.
"""
