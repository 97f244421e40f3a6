"""What RFC 9293 says, knowing no capture: states, events, the machine, sequence numbers, timers.

Begin with `machine.TRANSITIONS`. `timers.PROFILES` are the timers by system, `diagram.render`
draws the machine.
"""
