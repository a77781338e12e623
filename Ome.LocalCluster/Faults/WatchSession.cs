namespace Ome.LocalCluster.Faults;

/// <summary>One open watch, as fault injection sees it.</summary>
internal sealed class WatchSession : IDisposable
{
    private readonly FaultInjector _owner;
    private readonly CancellationTokenSource _end;

    public WatchSession(FaultInjector owner, string resource, CancellationToken cancellationToken)
    {
        _owner = owner;
        Resource = resource;
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public string Resource { get; }

    /// <summary>Send nothing any more, stay open.</summary>
    public bool Silenced { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>The client went away, time is up, or the watch was dropped.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Ends it, if it has not ended by itself just now.</summary>
    public void Drop()
    {
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has.
        }
    }

    public void Dispose()
    {
        _owner.Close(this);
        _end.Dispose();
    }
}
