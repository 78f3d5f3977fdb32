"""Reading and writing video files; the only room that knows PyAV."""
