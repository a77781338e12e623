using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ome.Agent.Hosting;
using Ome.Operator;
using Ome.Shared.Domain;
using Ome.Shared.Settings;

namespace Ome.Tests.Deploy;

/// <summary>The settings of a program as the chart shows them: keys in camel case, defaults, ranges as a JSON schema.</summary>
internal sealed partial class ChartSettings
{
    // What the pod says itself, what belongs into a Secret, and what has a value of its own.
    private static readonly string[] Apart = ["node-name", "namespace", "hf-token", "instance-type-map"];

    private readonly object _defaults;

    private ChartSettings(string program, object defaults)
    {
        Program = program;
        _defaults = defaults;
        Settings = [.. Setting.Of(defaults.GetType()).Where(setting => !Apart.Contains(setting.Flag.Name))];
    }

    public string Program { get; }

    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>The agent's, with the defaults config/ starts it with.</summary>
    public static ChartSettings Agent() => new("agent", Effective<AgentOptions>(Manifest.InFile("config/agent/daemonset.yaml").Single().Arguments()));

    /// <summary>The operator's, with the defaults config/ starts it with.</summary>
    public static ChartSettings Operator() => new("operator", Effective<OperatorOptions>(Manifest.InFile("config/operator/deployment.yaml").Single().Arguments()));

    /// <summary>What a program understands from its arguments; fails when it would refuse them.</summary>
    public static T Effective<T>(IEnumerable<string> arguments)
        where T : new()
    {
        var command = new RootCommand();
        var settings = new SettingsCommand<T>(command, name => name == "NODE_NAME" ? "node" : null);
        var parsed = command.Parse([.. arguments]);
        parsed.Errors.Should().BeEmpty();
        var (options, problems) = settings.Read(parsed);
        problems.Should().BeEmpty();
        return options;
    }

    /// <summary>All settings of an options object, for comparison.</summary>
    public static string Describe<T>(T options)
        where T : notnull => string.Join('\n', Setting.Of(typeof(T)).Select(setting => $"{setting.Flag.Name}={setting.Text(options)}"));

    /// <summary><c>models-root-dir</c> as <c>modelsRootDir</c>; the chart's template turns it back.</summary>
    public static string Key(Setting setting) => AfterDash().Replace(setting.Flag.Name, match => match.Value[1..].ToUpperInvariant());

    /// <summary>The default as text.</summary>
    public string DefaultText(Setting setting) => setting.Text(_defaults);

    /// <summary>The lines of values.yaml.</summary>
    public string Values() => string.Concat(Settings.Select(setting =>
    {
        var range = setting.Range().Replace("Off,", "\"Off\",", StringComparison.Ordinal);
        return $"    # {setting.Flag.Description}{(range.Length > 0 ? $" [{range}]" : "")}\n    {Key(setting)}: {Default(setting)}\n";
    }));

    /// <summary>The schema of the settings: one property each, nothing else allowed.</summary>
    public JsonObject Schema() => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject(Settings.Select(setting => KeyValuePair.Create<string, JsonNode?>(Key(setting), Schema(setting)))),
    };

    private string Default(Setting setting)
    {
        var property = Property(setting);
        var value = property.GetValue(_defaults);
        if (value is long bytes) return Exact(bytes, setting.Text(_defaults));
        var text = setting.Text(_defaults);
        return value is IEnumerable<string> list ? $"[{string.Join(", ", list)}]" : text.Length == 0 ? "\"\"" : text;
    }

    private JsonObject Schema(Setting setting)
    {
        var property = Property(setting);
        var schema = new JsonObject { ["description"] = setting.Flag.Description };
        if (property.GetCustomAttribute<AllowedValuesAttribute>() is { } allowed) schema["enum"] = new JsonArray([.. allowed.Values.Select(value => (JsonNode)(string)value!)]);
        else if (property.PropertyType.IsEnum) schema["enum"] = new JsonArray([.. Enum.GetNames(property.PropertyType).Select(name => (JsonNode)name)]);
        else if (property.PropertyType == typeof(bool)) schema["type"] = "boolean";
        else if (property.PropertyType == typeof(TimeSpan)) (schema["type"], schema["minLength"], schema["pattern"]) = ("string", 1, "^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$");
        else if (property.PropertyType == typeof(long)) (schema["type"], schema["minimum"], schema["pattern"]) = (new JsonArray("integer", "string"), 0, "^[0-9]+(\\.[0-9]+)?([KMGT]i|[kKMGT])?B?$");
        else if (property.PropertyType == typeof(int)) schema["type"] = "integer";
        else if (property.PropertyType == typeof(string)) schema["type"] = "string";
        else (schema["type"], schema["items"]) = ("array", new JsonObject { ["type"] = "string" });
        if (property.PropertyType == typeof(int) && property.GetCustomAttribute<System.ComponentModel.DataAnnotations.RangeAttribute>() is { } range) (schema["minimum"], schema["maximum"]) = ((int)range.Minimum, (int)range.Maximum);
        if (property.PropertyType == typeof(string) && property.GetCustomAttribute<RequiredAttribute>() is not null) schema["minLength"] = 1;
        return schema;
    }

    private PropertyInfo Property(Setting setting) =>
        _defaults.GetType().GetProperties().Single(property => property.GetCustomAttribute<FlagAttribute>()?.Name == setting.Flag.Name);

    /// <summary>The shortest text that is read back as exactly these bytes: what people are shown is rounded.</summary>
    private static string Exact(long bytes, string shown)
    {
        string[] texts = [shown, bytes / 1_000_000 + "MB"];
        return texts.FirstOrDefault(text => ByteText.TryParse(text, out var read) && read == bytes) ?? bytes.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("-[a-z]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AfterDash();
}
