// What jsdom lacks.
