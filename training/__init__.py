"""Training recipe of the model `compact`: data, teacher, captions, training and benchmark."""
