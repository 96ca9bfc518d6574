def load_file_as_dataframe(location):
    raise NotImplementedError
