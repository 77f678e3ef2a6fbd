from requests import Response

class InvalidResponse(Exception):
    response: Response
    def __init__(self, response: Response, *args: str) -> None: ...

class DataCorruption(Exception):
    response: Response
