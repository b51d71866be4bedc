"""What passes through the server: the exchange of every request, who watches it, who steps in.

``exchange`` is what everybody shares. The journal, the counters and the log are observers: they
are told of an exchange when it is over. Faults intercept: they may answer in a surface's place.
"""
