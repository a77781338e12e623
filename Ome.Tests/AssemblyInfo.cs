// Fixtures that mostly wait (for time-outs, restarts, back-offs) and share nothing are marked Parallelizable and run side by side; all others run alone.
[assembly: LevelOfParallelism(4)]
