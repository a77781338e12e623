using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Patching;

/// <summary>A patch or apply that the API server refuses. Carries what the <c>Status</c> body needs.</summary>
/// <remarks>
/// Reasons and codes as kube-apiserver sends them: <c>BadRequest</c> 400 (not a patch at all), <c>Invalid</c> 422 (a patch that does
/// not fit the object), <c>InternalError</c> 500 (merge and apply documents it cannot merge), <c>Conflict</c> 409 (server-side apply, one <see cref="StatusCause"/> for each field owned by somebody else).
/// </remarks>
public sealed class PatchException : Exception
{
    private PatchException(int code, string reason, string message, IReadOnlyList<StatusCause> causes) : base(message)
    {
        Code = code;
        Reason = reason;
        Causes = causes;
    }

    /// <summary>HTTP status code.</summary>
    public int Code { get; }

    /// <summary><c>Status.reason</c>.</summary>
    public string Reason { get; }

    /// <summary><c>Status.details.causes</c>; empty unless <see cref="Reason"/> is <c>Conflict</c>.</summary>
    public IReadOnlyList<StatusCause> Causes { get; }

    internal static PatchException BadRequest(string message) => new(400, "BadRequest", message, []);

    internal static PatchException Invalid(string message) => new(422, "Invalid", message, []);

    internal static PatchException Unprocessable(string message) => new(500, "InternalError", message, []);

    internal static PatchException Conflict(string message, IReadOnlyList<StatusCause> causes) => new(409, "Conflict", message, causes);
}
