namespace Ome.Shared.Domain.Reporting;

/// <summary>What a node says of a model (contract 3.2). The texts are the wire's, also as node-label values (contract 2.1).</summary>
public enum NodeModelState
{
    /// <summary>Empty, or a word of a version newer than ours: neither ready nor failed.</summary>
    Unknown,

    /// <summary>Files are being fetched, checked or removed.</summary>
    Updating,

    /// <summary>Files are complete and not known to be damaged.</summary>
    Ready,

    /// <summary>Staging failed, or the files went bad.</summary>
    Failed,

    /// <summary>Gone; as a label: no label.</summary>
    Deleted,
}

/// <summary>The wire texts of <see cref="NodeModelState"/>.</summary>
public static class NodeModelStates
{
    /// <summary>The value consumers compare literally (contract 3.6).</summary>
    public const string Ready = "Ready";

    /// <inheritdoc cref="NodeModelState.Updating"/>
    public const string Updating = "Updating";

    /// <inheritdoc cref="NodeModelState.Failed"/>
    public const string Failed = "Failed";

    /// <inheritdoc cref="NodeModelState.Deleted"/>
    public const string Deleted = "Deleted";

    /// <summary>The wire text; empty for <see cref="NodeModelState.Unknown"/>.</summary>
    public static string ToWire(this NodeModelState state) => state switch
    {
        NodeModelState.Updating => Updating,
        NodeModelState.Ready => Ready,
        NodeModelState.Failed => Failed,
        NodeModelState.Deleted => Deleted,
        _ => string.Empty,
    };

    /// <summary>Reads a wire text; values are compared literally, as every reader does.</summary>
    public static NodeModelState FromWire(string? text) => text switch
    {
        Updating => NodeModelState.Updating,
        Ready => NodeModelState.Ready,
        Failed => NodeModelState.Failed,
        Deleted => NodeModelState.Deleted,
        _ => NodeModelState.Unknown,
    };
}
