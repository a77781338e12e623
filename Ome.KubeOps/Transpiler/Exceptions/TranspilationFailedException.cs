namespace KubeOps.Transpiler.Exceptions;

/// <summary>A class cannot become a CRD; the message names the member and why.</summary>
public sealed class TranspilationFailedException : Exception
{
    public TranspilationFailedException()
    {
    }

    public TranspilationFailedException(string? message)
        : base(message)
    {
    }

    public TranspilationFailedException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
