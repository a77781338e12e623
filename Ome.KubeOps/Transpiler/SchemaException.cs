using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace KubeOps.Transpiler;

/// <summary>A member has no valid schema. Never leaves the transpiler: it is the inner exception of what does.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "made in one way only")]
[SuppressMessage("Roslynator", "RCS1194:Implement exception constructors", Justification = "made in one way only")]
internal sealed class SchemaException(MemberInfo member, string problem) : InvalidOperationException($"{NameOf(member)}: {problem}")
{
    private static string NameOf(MemberInfo member) => member as Type is { } type ? type.FullName ?? type.Name : $"{member.DeclaringType?.FullName}.{member.Name}";
}
